import { DeviceRecord } from '../engine/protocol.ts'
import type { LibraryDatabase } from './database.ts'

/**
 * The devices as the last probe found them, in the order of the probe. Records that another version of Halfstep wrote in
 * another form are left out, as if the device had not been probed.
 */
export function readDevices(database: LibraryDatabase): DeviceRecord[] {
  const rows = database.prepare<[], { record: string }>('SELECT record FROM devices ORDER BY position').all()
  return rows.flatMap(({ record }) => DeviceRecord.safeParse(JSON.parse(record)).data ?? [])
}

/** Puts the records of a probe in the place of all that were remembered, in one transaction. */
export function replaceDevices(database: LibraryDatabase, records: readonly DeviceRecord[]): void {
  const insert = database.prepare(`
    INSERT INTO devices (device, position, onnxruntime_version, probed_at, record)
    VALUES (@device, @position, @onnxruntimeVersion, @probedAt, @record)
  `)
  database.transaction(() => {
    database.prepare('DELETE FROM devices').run()
    for (const [position, record] of records.entries()) {
      const { device, onnxruntimeVersion, probedAt } = record
      insert.run({ device, position, onnxruntimeVersion, probedAt, record: JSON.stringify(record) })
    }
  })()
}
