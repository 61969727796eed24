import type Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrated, OTHER_SHA, picture, SHA } from './migrated.ts'

let database: Database.Database

beforeEach(() => {
  database = migrated(4)
  database.exec(picture())
})

afterEach(() => database.close())

const adapter = (id: string, sha256 = SHA, origin = 'import', preview = SHA): string => `
  INSERT INTO adapters (id, name, sha256, file, bytes, summary, origin, preview, added_at)
  VALUES ('${id}', 'a', '${sha256}', 'adapters/a', 1, '{}', '${origin}', '${preview}', '2026')`
const generation = (id: string, sha256 = SHA, seed = 0): string =>
  `INSERT INTO generations VALUES ('${id}', '${sha256}', 'b', 0, 'p', ${seed}, '{}', NULL, '2026', NULL)`

describe('migration 4: pictures and adapters', () => {
  it('names files by content: 64 lower-case hexadecimal digits', () => {
    for (const wrong of ['', 'a', 'A'.repeat(64), 'g'.repeat(64), `${SHA}a`]) {
      expect(() => database.exec(picture(wrong, wrong)), wrong).toThrow('CHECK')
      expect(() => database.exec(adapter('1', wrong)), wrong).toThrow('CHECK')
    }
    expect(() => database.exec(picture(OTHER_SHA, 'x', '00'))).toThrow('CHECK')
  })

  it('keeps an adapter once per content outside the bin', () => {
    database.exec(adapter('1'))
    expect(() => database.exec(adapter('2'))).toThrow('UNIQUE')
    database.exec("UPDATE adapters SET deleted_at = '2026'")
    database.exec(adapter('2'))
    expect(() => database.exec(adapter('3', OTHER_SHA, 'theft'))).toThrow('CHECK')
  })

  it('keeps pictures that generations show, and lets previews go', () => {
    database.exec(adapter('1'))
    database.exec(generation('1'))
    expect(() => database.exec('DELETE FROM pictures')).toThrow('FOREIGN KEY')
    database.exec('DELETE FROM generations; DELETE FROM pictures')
    expect(database.prepare('SELECT preview FROM adapters').pluck().get()).toBeNull()
  })

  it('takes no generation without a picture, and no negative seed', () => {
    expect(() => database.exec(generation('1', OTHER_SHA))).toThrow('FOREIGN KEY')
    expect(() => database.exec(generation('1', SHA, -1))).toThrow('CHECK')
  })
})
