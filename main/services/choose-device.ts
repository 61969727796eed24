import { HalfstepError } from '../engine/errors.ts'
import { DEVICE_LABELS, DEVICES, type Device, type DeviceRecord } from '../engine/protocol.ts'

/** Which device to work on, and why, as one sentence. */
export interface DeviceChoice {
  readonly device: Device
  readonly reason: string
}

/**
 * Chooses a device from what probing found: the one wished for, or the first that works in the order of preference and is not
 * slower than the CPU (a software renderer passes for a GPU). Throws `device.unavailable` when that one, or none, can be used.
 */
export function chooseDevice(records: readonly DeviceRecord[], wish: Device | 'auto' = 'auto'): DeviceChoice {
  if (wish !== 'auto') return chosenByWish(records.find(({ device }) => device === wish), wish)
  const cpuSpeed = records.find(({ device, available }) => device === 'cpu' && available)?.speed ?? 0
  const objections: string[] = []
  for (const device of DEVICES) {
    const record = records.find((candidate) => candidate.device === device)
    const objection = record === undefined ? `${DEVICE_LABELS[device]} was not probed` : objectionTo(record, cpuSpeed)
    if (record !== undefined && objection === undefined) return { device, reason: explain(record, objections) }
    objections.push(objection ?? '')
  }
  throw new HalfstepError(
    'device.unavailable',
    'No device of this machine can run models, not even its processor.',
    'Reinstall Halfstep; if this comes back, please report it with the device list from Settings.',
    { reasons: records.map(({ device, reason }) => `${device}: ${reason ?? ''}`) },
  )
}

function chosenByWish(record: DeviceRecord | undefined, wish: Device): DeviceChoice {
  if (record?.available === true) return { device: wish, reason: `Using ${named(record)}, as asked.` }
  throw new HalfstepError(
    'device.unavailable',
    `The device ${wish} cannot be used: ${asClause(record?.reason ?? 'it was not probed')}.`,
    'Choose another device, or let Halfstep choose.',
    { device: wish, detail: record?.detail ?? '' },
  )
}

/** Why a device is passed over, as a clause; undefined when it is not. */
function objectionTo(record: DeviceRecord, cpuSpeed: number): string | undefined {
  if (!record.available) return asClause(record.reason ?? `${DEVICE_LABELS[record.device]} does not work`)
  if (record.device === 'cpu' || record.speed === null || record.speed >= cpuSpeed) return undefined
  return `${named(record)} is slower than the processor (${giga(record.speed)} against ${giga(cpuSpeed)} GFLOP/s)`
}

function explain(record: DeviceRecord, objections: readonly string[]): string {
  const why = objections.length === 0 ? 'the fastest kind of device, and it works here' : objections.join('; ')
  return `Using ${named(record)}: ${why}.`
}

const named = ({ device, name }: DeviceRecord): string => (name === null ? DEVICE_LABELS[device] : `${DEVICE_LABELS[device]} (${name})`)
const asClause = (sentence: string): string => sentence.replace(/\.$/, '')
const giga = (speed: number): string => (speed / 1e9).toLocaleString('en', { maximumSignificantDigits: 2, useGrouping: false })
