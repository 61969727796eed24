import type { EvaluatedArm } from '../../engine/protocol.ts'
import { html, type Markup } from './html.ts'
import { cellKind } from './outcome-charts.ts'

/** Pictures side by side in one image. */
export interface Sheet {
  /** `data:image/webp;base64,…` */
  readonly uri: string
  readonly columns: number
  readonly rows: number
}

/** Pairs of pictures from the same noise, before and after, those that changed marked; as many as the sheets hold. */
export function pictureGrid(before: EvaluatedArm, after: EvaluatedArm, count: number, columns: number, prompts: readonly string[]): Markup {
  return html`<ul class="pairs">${before.pictures.slice(0, count).map((picture, i) => {
    const [from, to] = [picture.outcome, after.pictures[i]?.outcome ?? '']
    const place = `--column: ${i % columns}; --row: ${Math.floor(i / columns)}`
    const words = `${prompts[picture.prompt] ?? ''}; seed ${picture.seed}; judged ${from} before, ${to} after`
    const shown = (moment: string, outcome: string): Markup =>
      html`<span class="picture ${moment}" style="${place}" role="img" aria-label="${moment}: ${outcome}"></span>`
    return html`<li class="${cellKind(from, to)}" title="${words}">
      ${shown('before', from)}${shown('after', to)}
      <span class="way">${short(from)} → ${short(to)}</span>
    </li>`
  })}</ul>`
}

/** The rules that make a sheet's pictures appear in elements of a class. */
export function sheetStyle(name: string, { uri, columns, rows }: Sheet): string {
  return `.picture.${name} { background-image: url("${uri}"); --columns: ${columns}; --rows: ${rows} }`
}

function short(outcome: string): string {
  return outcome === 'ill-formed' ? '?' : outcome === 'no hand' ? '–' : outcome
}
