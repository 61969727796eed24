import type { TemplateStage } from '../../../main/ipc/contract.ts'

/** No stage gets narrower than this share of the schedule. */
export const LEAST = 0.02

const PRECISION = 1000

/** Shares of the schedule are kept to a thousandth, so that files stay readable. */
const rounded = (fraction: number): number => Math.round(fraction * PRECISION) / PRECISION

/** Where one stage ends and the next begins, from noise (1) towards the picture (0): one fewer than there are stages. */
export function bordersOf(stages: readonly TemplateStage[]): number[] {
  return stages.slice(1).map(({ span: [from] }) => from)
}

/** The stages with those borders between them. */
function withBorders(stages: readonly TemplateStage[], borders: readonly number[]): TemplateStage[] {
  const edges = [1, ...borders, 0]
  return stages.map((stage, index) => ({ ...stage, span: [edges[index]!, edges[index + 1]!] }))
}

/** Moves a border as near to `to` as its neighbours allow. */
export function moveBorder(stages: readonly TemplateStage[], index: number, to: number): TemplateStage[] {
  const borders = bordersOf(stages)
  const above = borders[index - 1] ?? 1
  const below = borders[index + 1] ?? 0
  return withBorders(stages, borders.with(index, rounded(Math.max(below + LEAST, Math.min(above - LEAST, to)))))
}

/** Moves a whole stage by a share of the schedule; it keeps its width, its neighbours give way. The first and the last stay. */
export function moveStage(stages: readonly TemplateStage[], index: number, by: number): TemplateStage[] {
  if (index <= 0 || index >= stages.length - 1) return [...stages]
  const borders = bordersOf(stages)
  const [from, to] = stages[index]!.span
  const most = (borders[index - 2] ?? 1) - LEAST - from
  const least = (borders[index + 1] ?? 0) + LEAST - to
  const shift = Math.max(least, Math.min(most, by))
  return withBorders(stages, borders.with(index - 1, rounded(from + shift)).with(index, rounded(to + shift)))
}

/** Cuts a stage in two halves with the same prompts; unchanged when it is too narrow. */
export function splitStage(stages: readonly TemplateStage[], index: number): TemplateStage[] {
  const stage = stages[index]
  if (stage === undefined) return [...stages]
  const [from, to] = stage.span
  if (from - to < 2 * LEAST) return [...stages]
  const middle = rounded((from + to) / 2)
  const second = { ...stage, name: freshName(stages, stage.name) }
  return stages.toSpliced(index, 1, { ...stage, span: [from, middle] }, { ...second, span: [middle, to] })
}

/** Takes a stage out; the one before it, or after the first, takes its place too. The only one stays. */
export function removeStage(stages: readonly TemplateStage[], index: number): TemplateStage[] {
  if (stages.length < 2 || stages[index] === undefined) return [...stages]
  const kept = stages.toSpliced(index, 1)
  return withBorders(kept, bordersOf(stages).toSpliced(Math.max(0, index - 1), 1))
}

/** `fine`, `fine 2`, `fine 3`: the first that no stage has. */
function freshName(stages: readonly TemplateStage[], name: string): string {
  const base = name.replace(/ \d+$/, '')
  for (let number = 2; ; number++) {
    const candidate = `${base} ${number}`
    if (!stages.some((stage) => stage.name === candidate)) return candidate
  }
}
