import type { Page } from 'playwright'

/** Begins to take down how long the page leaves each of its frames waiting. */
export async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(`{
    window.frameTimes = []
    let last = performance.now()
    const tick = (now) => { window.frameTimes.push(now - last); last = now; requestAnimationFrame(tick) }
    requestAnimationFrame(tick)
  }`)
}

/** Milliseconds between the frames since `watchFrames`. */
export async function frameTimes(page: Page): Promise<number[]> {
  const times: unknown = await page.evaluate('window.frameTimes')
  if (!Array.isArray(times)) throw new Error('The frames of this page are not watched.')
  return times.map(Number)
}
