import { sameShape } from '../../../tensor/shape.ts'
import type { Value } from '../../graph.ts'
import * as ops from '../../ops/index.ts'
import type { Importer, NodeContext } from './node-context.ts'

export const control: Readonly<Record<string, Importer>> = { If: branch }

/** A condition that is known leaves only the branch it picks; otherwise both branches become regions of an `If`. */
function branch(c: NodeContext): readonly Value[] {
  const condition = c.input(0)
  const [then, otherwise] = [c.attributes.graph('then_branch'), c.attributes.graph('else_branch')]
  c.require(then !== undefined && otherwise !== undefined, 'it has two branches')
  const known = c.known(condition)
  if (known !== undefined) return c.body(Number(known.data[0] ?? 0) === 0 ? otherwise : then, c.g)
  const regions = [c.g.branch('then'), c.g.branch('else')] as const
  const [yes, no] = [c.body(then, regions[0]), c.body(otherwise, regions[1])]
  const agree = yes.length === no.length && yes.every((value, i) => value.dtype === no[i]?.dtype && sameShape(value.shape, no[i].shape))
  if (!agree) throw c.unsupported('branches of different shapes')
  regions[0].region.results.push(...yes)
  regions[1].region.results.push(...no)
  return ops.branch(c.g, condition, regions[0].region, regions[1].region)
}
