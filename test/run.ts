/**
 * `npm test`: everything that can be checked on this machine — lint, types, the build, and all tests — with one closing line
 * `N passed, N failed`. Where no browser is found the browser tests are left out with a sentence; with `CI` set that is a failure.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { findBrowser, HOW_TO_GET_A_BROWSER } from './e2e/browser.ts'
import { hasSwiftShader, swiftShaderEnvironment } from './unit/runtime/swiftshader.ts'

const ROOT = join(import.meta.dirname, '..')
const RESULTS = join(ROOT, 'test-results')

const Results = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  testResults: z.array(z.object({ name: z.string(), status: z.string(), assertionResults: z.array(z.unknown()) })),
})

/** Runs one of the package's scripts or programs; whether it succeeded. */
function step(title: string, command: string, env: Readonly<Record<string, string>> = {}): boolean {
  console.log(`\n— ${title}: ${command}`)
  // A shell finds the programs of node_modules/.bin on every system, because npm has put them on the path.
  return spawnSync(command, { cwd: ROOT, stdio: 'inherit', shell: true, env: { ...process.env, ...env } }).status === 0
}

/** The counts of a run; a file that failed before its first test counts as one failure. */
function countTests(name: string): { passed: number; failed: number; skipped: number } {
  const results = Results.parse(JSON.parse(readFileSync(join(RESULTS, `${name}.json`), 'utf8')))
  const broken = results.testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
  return { passed: results.numPassedTests, failed: results.numFailedTests + broken.length, skipped: results.numPendingTests }
}

/** Runs tests and counts them, whether or not all pass. */
function testStep(name: string, projects: readonly string[], env: Readonly<Record<string, string>> = {}): ReturnType<typeof countTests> {
  rmSync(join(RESULTS, `${name}.json`), { force: true })
  const reporters = `--reporter=default --reporter=json --outputFile.json=test-results/${name}.json`
  const succeeded = step(name, ['vitest run', reporters, ...projects.map((project) => `--project ${project}`)].join(' '), env)
  const counts = countTests(name)
  // A run can fail beside its tests, by an error that none of them caught.
  return succeeded || counts.failed > 0 ? counts : { ...counts, failed: 1 }
}

mkdirSync(RESULTS, { recursive: true })

const browser = findBrowser()
const projects = ['unit', 'golden', 'faults', 'build', ...(browser === undefined ? [] : ['e2e'])]
const failures = [
  !step('lint', 'npm run --silent lint') && 'lint',
  !step('types', 'npm run --silent types') && 'types',
  !step('build', 'npm run --silent build') && 'build',
].filter((name) => name !== false)

const runs = [testStep('tests', projects)]
if (hasSwiftShader) runs.push(testStep('webgpu', ['device'], { ...swiftShaderEnvironment, HALFSTEP_TEST_DEVICE: 'webgpu' }))
else console.log('\nThe tests on WebGPU were left out: there is no SwiftShader, which Debian packs with Chromium.')
const total = (count: 'passed' | 'failed' | 'skipped'): number => runs.reduce((sum, run) => sum + run[count], 0)

if (browser === undefined) {
  console.log(`\nThe browser tests were left out: no Chromium was found. ${HOW_TO_GET_A_BROWSER}`)
  if (process.env.CI) failures.push('browser tests (required where CI is set)')
}
if (total('skipped') > 0) console.log(`${total('skipped')} skipped`)
for (const name of failures) console.log(`failed: ${name}`)
const failed = total('failed') + failures.length
console.log(`\n${total('passed')} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
