/** An adapter in words. */
import { FAMILY_NAMES } from '../engine/adapters/base-family.ts'
import type { AdapterSummary } from '../engine/protocol.ts'
import { formatCount, indented, plural, table } from './figures.ts'
import { COMPONENT_NAMES } from './model-lines.ts'
import type { Colors } from './terminal.ts'

export function adapterLines(adapter: AdapterSummary, colors: Colors): string[] {
  const { family, title, format, dtype, ranks, alphas, modules, parameters, components, targets, problems } = adapter
  const facts = [
    ...(title === undefined ? [] : [['title', title]]),
    ['made for', family === undefined ? 'unknown: its modules do not tell' : FAMILY_NAMES[family]],
    ['format', `${format}, ${dtype}`],
    ['rank', ranks.join(', ')],
    ['alpha', alphas.map((alpha) => String(Number(alpha.toPrecision(6)))).join(', ')],
    ['modules', `${formatCount(modules)}: ${counted(components, componentName)}`],
    ['targets', counted(targets, (target) => target)],
    ['parameters', formatCount(parameters)],
  ]
  return [
    colors.bold('LoRA'),
    ...indented(table(facts)),
    ...problems.map((problem) => `${colors.yellow('!')} ${problem}`),
  ]
}

/** `LoRA of rank 4, 32 modules, kohya, float32`. */
export function writtenAdapter(out: string, { ranks, modules, format, dtype }: AdapterSummary): string {
  return `Wrote ${out}: LoRA of rank ${ranks.join(', ')}, ${plural(modules, 'module')}, ${format}, ${dtype}.`
}

function counted(counts: Readonly<Record<string, number>>, name: (key: string) => string): string {
  return Object.entries(counts).map(([key, count]) => `${name(key)} ${count}`).join(', ')
}

function componentName(key: string): string {
  return key in COMPONENT_NAMES ? COMPONENT_NAMES[key as keyof typeof COMPONENT_NAMES] : key
}
