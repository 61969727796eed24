import type Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrated, OTHER_SHA, picture, SHA } from './migrated.ts'

let database: Database.Database

beforeEach(() => {
  database = migrated(7)
  database.exec(`${picture()}; ${picture(OTHER_SHA)}`)
})

afterEach(() => database.close())

const rating = (left: string, right: string, preferred: string): string =>
  `INSERT INTO ratings (taste, left_one, right_one, preferred, rated_at) VALUES ('mine', '${left}', '${right}', '${preferred}', '2026')`

describe('migration 7: rewards and ratings', () => {
  it('takes rewards that are JSON objects', () => {
    const reward = (spec: string): string => `INSERT INTO rewards VALUES ('1', 'a', '${spec}', '', '2026', '2026', NULL)`
    expect(() => database.exec(reward('[]'))).toThrow('CHECK')
    database.exec(reward('{"kind": "onnx"}'))
  })

  it('takes ratings of two different pictures that are there', () => {
    database.exec(rating(SHA, OTHER_SHA, 'left'))
    expect(() => database.exec(rating(SHA, SHA, 'left'))).toThrow('CHECK')
    expect(() => database.exec(rating(SHA, OTHER_SHA, 'both'))).toThrow('CHECK')
    expect(() => database.exec(rating(SHA, 'c'.repeat(64), 'left'))).toThrow('FOREIGN KEY')
  })
})
