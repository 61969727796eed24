/** `npm start`: opens the built app in Electron's window where that can be, else in the browser, and says which and why. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { toErrorValue } from '../engine/errors.ts'
import { forkLauncher } from '../engine/process/fork-launcher.ts'
import { chooseHost } from './choose-host.ts'
import { openInBrowser } from './open-browser.ts'
import { serve } from './serve.ts'

const require = createRequire(import.meta.url)

/** Whether Electron's program is here. Fetches it (about 110 MB, from github.com) where it is not; what that prints is not shown. */
async function hasElectron(): Promise<boolean> {
  try {
    const installer = join(dirname(require.resolve('electron/package.json')), 'install.js')
    const child = spawn(process.execPath, [installer], { stdio: 'ignore' })
    return (await once(child, 'exit'))[0] === 0
  } catch {
    // The package itself was left out of the installation.
    return false
  }
}

async function openWindow(): Promise<void> {
  const child = spawn(String(require('electron')), ['.'], { stdio: 'inherit' })
  process.exitCode = Number((await once(child, 'exit'))[0] ?? 1)
}

async function openBrowser(): Promise<void> {
  const serving = await serve({ launch: forkLauncher() })
  const address = serving.openingAddress()
  console.log(`\n  ${address}\n\nThe address works once. Ctrl+C ends Halfstep.`)
  openInBrowser(address)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void serving.close().then(() => process.exit()))
}

try {
  const { host, reason } = chooseHost({ platform: process.platform, env: process.env, electron: await hasElectron() })
  console.log(reason)
  await (host === 'window' ? openWindow() : openBrowser())
} catch (thrown) {
  const { message, nextStep } = toErrorValue(thrown)
  console.error(`${message}\n${nextStep}`)
  process.exitCode = 1
}
