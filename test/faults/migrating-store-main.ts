/** A process that stops inside one of the library's migrations, after all its work and before its end, and waits to be killed. */
import { writeSync } from 'node:fs'
import { openDatabase } from '../../main/store/database.ts'
import { MIGRATIONS } from '../../main/store/migrations/index.ts'

const [, , path = '', id = '0'] = process.argv
openDatabase(path, MIGRATIONS.map((migration) => ({
  ...migration,
  up(database) {
    // A small cache spills uncommitted pages to the file, which the kill must not leave visible.
    database.pragma('cache_size = 4')
    migration.up(database)
    if (migration.id !== Number(id)) return
    writeSync(1, 'inside\n')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  },
})))
