/** Contrast of all text is at least 7:1 on its ground; meaning never rests on colour alone. */
export const STYLE = `
body{margin:0;background:#fff;color:#0b0c0c;font:16px/1.5 Arial,Helvetica,sans-serif}
main{max-width:50em;margin:0 auto;padding:1.5em 1em 3em}
h1{font-size:2em;margin:0 0 .4em;overflow-wrap:anywhere}
h2{font-size:1.35em;margin:1.8em 0 .5em;border-top:2px solid #0b0c0c;padding-top:.5em}
h3{font-size:1.05em;margin:1em 0 .2em}
.over{margin:0;color:#454a4d}
.verdict{border:4px solid;padding:.6em 1em;margin:0 0 1em}
.verdict p{margin:.1em 0}
.word{font-size:1.6em;font-weight:bold}
.good{border-color:#00552e;background:#eef7f1}
.act{border-color:#7a3b00;background:#fdf4e7}
.bad{border-color:#8e1f0f;background:#fbeeec}
.custody{font-weight:bold}
.totals{font-size:1.15em}
.small{font-size:.9em;color:#383d40;font-weight:normal}
.count{font-weight:normal;white-space:nowrap}
article{border-left:4px solid #6f777b;padding:.1em 0 .1em 1em;margin:0 0 1.2em}
.sender article{border-color:#7a3b00}
.archivist article{border-color:#144e81}
.ours{border-left:4px solid #8e1f0f;padding-left:1em}
li,td,th,dd{overflow-wrap:anywhere}
dl{margin:1em 0}
dl div{display:flex;flex-wrap:wrap;gap:0 1em;border-bottom:1px solid #b1b4b6;padding:.25em 0}
dt{font-weight:bold;width:11em}
dd{margin:0;flex:1;min-width:12em}
.digest dd,.digest{overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.4em .6em .4em 0;border-bottom:1px solid #b1b4b6}
thead th{overflow-wrap:normal;white-space:nowrap}
.narrow{max-width:34em}
.failed{font-weight:bold}
.scroll{overflow-x:auto}
a{color:#144e81}
a:focus,.scroll:focus{outline:3px solid #144e81}
@media print{@page{size:A4;margin:16mm}main{max-width:none;padding:0}article,tr{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}}
`
