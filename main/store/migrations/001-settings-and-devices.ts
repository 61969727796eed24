import type { Migration } from './index.ts'

/** What the person chose, and what was found out about the machine's devices. */
export const settingsAndDevices: Migration = {
  id: 1,
  name: 'settings and devices',
  up(database) {
    database.exec(`
      CREATE TABLE settings (
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL CHECK (json_valid(value))
      ) STRICT;

      -- One row per device of the last probe: position is its place in the order of preference, record what was found.
      CREATE TABLE devices (
        device              TEXT PRIMARY KEY,
        position            INTEGER NOT NULL UNIQUE CHECK (position >= 0),
        onnxruntime_version TEXT NOT NULL,
        probed_at           TEXT NOT NULL,
        record              TEXT NOT NULL CHECK (json_valid(record))
      ) STRICT;
    `)
  },
}
