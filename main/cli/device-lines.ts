/** `halfstep devices` in words. */
import { DEVICE_LABELS, type DeviceRecord } from '../engine/protocol.ts'
import type { DeviceOverview } from '../services/devices.ts'
import { formatBytes, formatCount, table } from './figures.ts'
import type { Colors } from './terminal.ts'

export function deviceLines({ devices, chosen }: DeviceOverview, colors: Colors): string[] {
  if (devices.length === 0) return ['No device has been probed yet. `halfstep devices --probe` tries them all; it takes up to a minute.']
  const rows = table(devices.map((record) => [record.device, DEVICE_LABELS[record.device], factsOf(record)]))
  return [
    ...devices.map(({ available }, i) => `${available ? colors.green('✓') : colors.dim('–')} ${rows[i] ?? ''}`),
    '',
    chosen?.reason ?? 'No device works, not even the processor: reinstall Halfstep.',
  ]
}

function factsOf({ available, reason, name, memoryBytes, speed, float16 }: DeviceRecord): string {
  if (!available) return reason ?? 'It does not work.'
  const facts = [
    name,
    memoryBytes === null ? null : formatBytes(memoryBytes),
    speed === null ? null : `${formatCount(speed)}FLOP/s`,
    float16 ? 'half precision' : 'single precision only',
  ]
  return facts.filter((fact) => fact !== null).join(', ')
}
