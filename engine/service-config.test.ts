import assert from 'node:assert/strict'
import { suite } from 'uvu'
import { ConfigError, readConfig } from './config.ts'

const test = suite('service settings')

const read = (yaml: string) =>
  readConfig(yaml, { folder: '/somewhere', threads: 1, scratch: '/tmp' }).service

function problemsOf(yaml: string): readonly string[] {
  try {
    read(yaml)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

test('without a section the service is for this machine alone', () => {
  const settings = read('')
  assert.equal(settings.host, '127.0.0.1')
  assert.equal(settings.oidc, undefined)
  assert.equal(settings.limits.fileBytes, 5_000_000_000)
})

test('a service that others can reach has to know who they are', () => {
  assert.match(problemsOf('service:\n  host: 0.0.0.0')[0] ?? '', /line 2.*without `oidc`/)
  const oidc =
    '\n  oidc: { issuer: https://id.example, audience: a, jwks: https://id.example/keys }'
  assert.deepEqual(problemsOf(`service:\n  host: 0.0.0.0${oidc}`), [])
})

test('algorithms with a shared secret, and none at all, are refused', () => {
  for (const algorithm of ['none', 'HS256']) {
    const yaml = `service: { oidc: { issuer: i, audience: a, jwks: "https://k", algorithms: [${algorithm}] } }`
    assert.match(problemsOf(yaml).join(), new RegExp(`\`${algorithm}\`.*none of RS256`))
  }
})

test('an origin is a whole origin', () => {
  for (const wrong of ['sharepoint.com', 'https://a.example/', 'https://a.example/x', '*', 'null'])
    assert.match(problemsOf(`service: { origins: ["${wrong}"] }`).join(), /no web origin/, wrong)
  assert.deepEqual(read('service: { origins: ["https://a.example"] }').origins, [
    'https://a.example',
  ])
})

test('a drop zone that is not there, half of oidc and unknown names are problems', () => {
  assert.match(problemsOf('service: { dropZone: other }').join(), /`other`/)
  assert.match(problemsOf('service: { oidc: { issuer: i } }').join(), /all three/)
  assert.match(problemsOf('service: { ports: 1 }').join(), /did you mean `port`/)
  assert.match(problemsOf('service: { url: "https://a.example/" }').join(), /without \//)
})

test.run()
