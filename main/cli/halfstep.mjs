#!/usr/bin/env node
/**
 * The `halfstep` command. Plain JavaScript, so that any Node from 20 on can start it: the program itself is TypeScript
 * that Node runs by stripping the types, and where the running Node cannot, the Node that npm installed as a dependency does.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const source = join(root, 'main', 'cli', 'index.ts')
const built = join(root, 'out', 'cli', 'index.js')

/** Set in the second process, so that a broken installation ends in a sentence and not in endless re-execution. */
const RELAUNCHED = 'HALFSTEP_RELAUNCHED'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']

if (!existsSync(source)) await import(pathToFileURL(built).href)
else if (stripsTypes()) await import(pathToFileURL(source).href)
else relaunch()

/** Whether this Node runs TypeScript by itself: 22.18, 23.6 and everything later. */
function stripsTypes() {
  return Boolean(process.features.typescript)
}

/** Runs the same command in the Node that came as a dependency, and ends as it ends. */
function relaunch() {
  const node = bundledNode()
  if (!node || process.env[RELAUNCHED]) {
    const version = process.version
    console.error(`Halfstep needs Node 22.18 or later; this is ${version}, and the Node that npm installs along was left out.`)
    console.error('Run `npm ci` with optional dependencies, or install a newer Node.')
    process.exit(1)
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, [RELAUNCHED]: '1' } })
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A terminal's Ctrl+C has reached the child already, and a second one would mean "at once".
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('error', (error) => {
    console.error(`The Node at ${node} cannot be started: ${error.message}.`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    for (const name of SIGNALS) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}

/** The program inside the platform's Node package, which npm may have placed beside Halfstep or above it. */
function bundledNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const program = process.platform === 'win32' ? 'node.exe' : 'node'
  const require = createRequire(import.meta.url)
  for (const name of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    try {
      const path = join(dirname(require.resolve(`${name}/package.json`)), 'bin', program)
      if (existsSync(path)) return path
    } catch {
      // Not the package of this platform: the next name may be.
    }
  }
  return undefined
}
