/** `npm start`: opens the built app in Electron, or says plainly what is missing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)
const electronPackage = dirname(require.resolve('electron/package.json'))

/** Runs a Node script of Electron's package to its end; whether it succeeded. What it prints is shown only when asked for. */
async function succeeds(script: string): Promise<boolean> {
  const child = spawn(process.execPath, [join(electronPackage, script)], { stdio: ['ignore', 'ignore', 'ignore'] })
  return (await once(child, 'exit'))[0] === 0
}

console.log('Preparing Electron. Its program of about 110 MB is fetched the first time.')
if (await succeeds('install.js')) {
  const program: unknown = require('electron')
  const child = spawn(String(program), ['.'], { stdio: 'inherit' })
  process.exitCode = Number((await once(child, 'exit'))[0] ?? 1)
} else {
  console.error('The window cannot open: Electron fetches its program from github.com on first use, and that cannot be reached from here.')
  console.error('Everything else works without it: `npm run demo`, `npm run halfstep -- --help`, `npm test`.')
  process.exitCode = 1
}
