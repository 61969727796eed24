/** `npm run test:electron`: the story in Electron's window, where Electron's program is; elsewhere one line that says so. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { findElectron } from './find-electron.ts'

const ROOT = join(import.meta.dirname, '..', '..')

if (findElectron() === undefined) {
  console.log('Not run: Electron’s program is not on this machine (`npx install-electron` fetches it). The same story runs in Chromium.')
} else {
  const { status } = spawnSync('vitest', ['run', '--project', 'electron'], { cwd: ROOT, stdio: 'inherit', shell: true })
  process.exitCode = status ?? 1
}
