/** Reports of benchmarks: what was measured where, kept under test/bench/results. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** Date, commit and machine, as one line. */
export function circumstances(): string {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
  const processor = os.cpus()[0]?.model ?? 'unknown processor'
  return `${today()}, commit ${commit}, ${processor}, ${os.availableParallelism()} threads, Node ${process.versions.node}.`
}

/** A Markdown table; the first row is its heading. */
export function markdownTable([heading = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(heading), line(heading.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** Writes results/NAME-DATE.md and gives its path. */
export function saveReport(name: string, text: string): string {
  const folder = path.join(import.meta.dirname, 'results')
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, `${name}-${today()}.md`)
  writeFileSync(file, `${text}\n`)
  return file
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}
