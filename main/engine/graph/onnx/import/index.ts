import { activations } from './activations.ts'
import { constants } from './constants.ts'
import { control } from './control.ts'
import { elementwise } from './elementwise.ts'
import { microsoft } from './microsoft.ts'
import type { Importer } from './node-context.ts'
import { normalization } from './normalization.ts'
import { products } from './products.ts'
import { reductions } from './reductions.ts'
import { shaping } from './shaping.ts'
import { windows } from './windows.ts'

const STANDARD = new Map(
  Object.entries({
    ...constants,
    ...elementwise,
    ...activations,
    ...products,
    ...windows,
    ...normalization,
    ...reductions,
    ...shaping,
    ...control,
  }),
)
const BY_DOMAIN: ReadonlyMap<string, ReadonlyMap<string, Importer>> = new Map([
  ['', STANDARD],
  ['com.microsoft', new Map(Object.entries(microsoft))],
])

/** What imports an operator of a domain ('' is ONNX's own), or undefined when nothing does. */
export function importerOf(domain: string, operator: string): Importer | undefined {
  return BY_DOMAIN.get(domain)?.get(operator)
}

/** Every operator that can be imported, by domain. */
export const IMPORTED_OPERATORS: readonly { readonly domain: string; readonly operator: string }[] = [...BY_DOMAIN].flatMap(
  ([domain, importers]) => [...importers.keys()].map((operator) => ({ domain, operator })),
)
