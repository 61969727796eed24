import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type LibraryDatabase, openDatabase } from '../../../main/store/database.ts'
import { deleteSetting, readSetting, writeSetting } from '../../../main/store/settings.ts'

let database: LibraryDatabase

beforeEach(() => {
  database = openDatabase(':memory:')
})

afterEach(() => database.close())

describe('settings', () => {
  it('read back what was written last, whatever the JSON value', () => {
    fc.assert(fc.property(fc.string(), fc.jsonValue(), (key, value) => {
      writeSetting(database, key, 'before')
      writeSetting(database, key, value)
      // z.json() would drop a member named __proto__ on its own account.
      expect(readSetting(database, key, z.unknown())).toEqual(JSON.parse(JSON.stringify(value)))
    }))
  })

  it('are undefined when never written, deleted, or no longer of the expected form', () => {
    expect(readSetting(database, 'device', z.string())).toBeUndefined()
    writeSetting(database, 'device', 'cpu')
    expect(readSetting(database, 'device', z.number())).toBeUndefined()
    deleteSetting(database, 'device')
    expect(readSetting(database, 'device', z.string())).toBeUndefined()
  })
})
