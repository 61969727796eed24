/** A process that stops in the middle of a migration, after writing more than the page cache holds, and waits to be killed. */
import { writeSync } from 'node:fs'
import { openDatabase } from '../../../main/store/database.ts'

const [, , path] = process.argv
if (path === undefined) throw new Error('usage: killed-migration.ts DATABASE')

openDatabase(path, [
  {
    id: 1,
    name: 'killed half way',
    up(database) {
      // A small cache spills the uncommitted pages to the file, which the kill must not leave visible.
      database.pragma('cache_size = 8')
      database.exec('CREATE TABLE half (value TEXT) STRICT; DELETE FROM kept')
      const insert = database.prepare('INSERT INTO half VALUES (?)')
      for (let row = 0; row < 2_000; row++) insert.run('x'.repeat(500))
      writeSync(1, 'half way\n')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    },
  },
])
