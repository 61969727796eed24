import { existsSync } from 'node:fs'
import { chromium } from 'playwright'

/** Where systems put Chromium and browsers made from it. */
const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/microsoft-edge',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
]

export const HOW_TO_GET_A_BROWSER =
  'Install Chromium (`apt-get install chromium`, or anywhere `npx playwright install chromium`), or set CHROMIUM to a browser.'

/** The program of a Chromium for the browser tests: `CHROMIUM`, one of the system's, or Playwright's own; undefined without any. */
export function findBrowser(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  return [...USUAL_PLACES, chromium.executablePath()].find((path) => existsSync(path))
}
