import type { Device } from '../protocol.ts'
import { type Tensor, toFloat32 } from '../tensor/tensor.ts'
import { knownQuirks } from './device-quirks.ts'
import type { Check } from './probe-graphs.ts'
import { Session } from './session.ts'

/** ‖y − expected‖ / ‖expected‖ of the worst output; infinite when it is not a number. */
export async function largestError(device: Device, { graph, expected, feeds }: Check): Promise<number> {
  const tested = await Session.create(graph, { device, quirks: knownQuirks(device) })
  const reference = await Session.create(expected, { device: 'cpu' })
  try {
    let largest = 0
    for (const feed of feeds) {
      const got = await tested.run(feed)
      for (const [name, wanted] of Object.entries(await reference.run(feed))) largest = Math.max(largest, relativeError(got[name], wanted))
    }
    return largest
  } finally {
    await tested.dispose()
    await reference.dispose()
  }
}

export function relativeError(got: Tensor | undefined, wanted: Tensor): number {
  if (got === undefined || got.data.length !== wanted.data.length) return Infinity
  const a = toFloat32(got).data
  const b = toFloat32(wanted).data
  let difference = 0
  let size = 0
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] ?? NaN) - (b[i] ?? NaN)) ** 2
    size += (b[i] ?? NaN) ** 2
  }
  const error = Math.sqrt(difference / size)
  return Number.isNaN(error) ? Infinity : error
}
