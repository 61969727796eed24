import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bringBack, deleteForGood, discard, readBin } from '../../../main/store/bin.ts'
import { type LibraryDatabase, openDatabase } from '../../../main/store/database.ts'
import { insertModel, readModel, readModelAt, readModels, updateModel } from '../../../main/store/models.ts'
import { idOf, MODEL, SUMMARY } from './example-rows.ts'

let database: LibraryDatabase

beforeEach(() => {
  database = openDatabase(':memory:')
  insertModel(database, MODEL)
})

afterEach(() => database.close())

describe('stored models', () => {
  it('read back as they were added, the built-in one first', () => {
    const starter = { ...MODEL, id: idOf(2), name: 'starter', path: '/starter', builtIn: true }
    insertModel(database, starter)
    expect(readModels(database)).toEqual([starter, MODEL])
    expect(readModelAt(database, '/starter')).toEqual(starter)
    expect(readModelAt(database, '/elsewhere')).toBeUndefined()
  })

  it('change where they are told to and nowhere else', () => {
    updateModel(database, MODEL.id, { missing: true })
    updateModel(database, MODEL.id, { name: 'mine', summary: { ...SUMMARY, family: 'sd2' } })
    expect(readModel(database, MODEL.id)).toEqual({ ...MODEL, missing: true, name: 'mine', summary: { ...SUMMARY, family: 'sd2' } })
  })

  it('lie in the bin until they are brought back or forgotten', () => {
    expect(deleteForGood(database, 'models', MODEL.id)).toBe(false)
    discard(database, 'models', MODEL.id)
    expect(readModels(database)).toEqual([])
    expect(readBin(database)).toMatchObject([{ table: 'models', id: MODEL.id, name: MODEL.name }])
    bringBack(database, 'models', MODEL.id)
    expect(readModels(database)).toEqual([MODEL])
    discard(database, 'models', MODEL.id)
    expect(deleteForGood(database, 'models', MODEL.id)).toBe(true)
    expect(readModel(database, MODEL.id)).toBeUndefined()
  })
})
