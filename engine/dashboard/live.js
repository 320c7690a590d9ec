// Keeps progress up to date without a reload; the page says the same without it.
for (const place of document.querySelectorAll('[data-live]')) {
  const source = new EventSource(place.dataset.live)
  source.addEventListener('progress', (event) => {
    const { text, steps, ended } = JSON.parse(event.data)
    if (place.tagName === 'OL') {
      place.replaceChildren(
        ...steps.map(({ words, state }) => {
          const item = document.createElement('li')
          item.className = `app-steps__step app-steps__step--${state.replaceAll(' ', '-')}`
          if (state === 'in progress') item.setAttribute('aria-current', 'step')
          item.textContent = words
          return item
        }),
      )
    } else place.textContent = text
    if (ended) {
      source.close()
      location.reload()
    }
  })
}
