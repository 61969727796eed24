/**
 * `npm test`: everything that can be checked on this machine — lint, types, the build, and all tests — with one closing line
 * `N passed, N failed`. Where no browser is found the browser tests are left out with a sentence; with `CI` set that is a failure.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { findBrowser, HOW_TO_GET_A_BROWSER } from './e2e/browser.ts'

const ROOT = join(import.meta.dirname, '..')
const RESULTS = join(ROOT, 'test-results', 'vitest.json')

const Results = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(z.object({ name: z.string(), status: z.string(), assertionResults: z.array(z.unknown()) })),
})

/** Runs one of the package's scripts or programs; whether it succeeded. */
function step(title: string, command: string): boolean {
  console.log(`\n— ${title}: ${command}`)
  // A shell finds the programs of node_modules/.bin on every system, because npm has put them on the path.
  return spawnSync(command, { cwd: ROOT, stdio: 'inherit', shell: true }).status === 0
}

/** The counts of the run; a file that failed before its first test counts as one failure. */
function countTests(): { passed: number; failed: number; skipped: number } {
  const results = Results.parse(JSON.parse(readFileSync(RESULTS, 'utf8')))
  const broken = results.testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
  return { passed: results.numPassedTests, failed: results.numFailedTests + broken.length, skipped: results.numPendingTests }
}

mkdirSync(join(ROOT, 'test-results'), { recursive: true })
rmSync(RESULTS, { force: true })

const browser = findBrowser()
const projects = ['unit', 'golden', 'faults', 'build', ...(browser === undefined ? [] : ['e2e'])]
const failures = [
  !step('lint', 'npm run --silent lint') && 'lint',
  !step('types', 'npm run --silent types') && 'types',
  !step('build', 'npm run --silent build') && 'build',
].filter((name) => name !== false)

const reporters = '--reporter=default --reporter=json --outputFile.json=test-results/vitest.json'
const allPassed = step('tests', ['vitest run', reporters, ...projects.map((name) => `--project ${name}`)].join(' '))
const { passed, failed, skipped } = countTests()

if (browser === undefined) {
  console.log(`\nThe browser tests were left out: no Chromium was found. ${HOW_TO_GET_A_BROWSER}`)
  if (process.env.CI) failures.push('browser tests (required where CI is set)')
}
if (skipped > 0) console.log(`${skipped} skipped`)
for (const name of failures) console.log(`failed: ${name}`)
console.log(`\n${passed} passed, ${failed + failures.length} failed`)
process.exitCode = allPassed && failures.length === 0 && failed === 0 ? 0 : 1
