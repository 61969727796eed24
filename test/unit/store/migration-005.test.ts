import type Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrated } from './migrated.ts'

let database: Database.Database

beforeEach(() => {
  database = migrated(5)
})

afterEach(() => database.close())

const prompts = (kind: string, list: string, slots = '{}'): string => `
  INSERT INTO prompt_sets (id, name, kind, prompts, slots, created_at, updated_at)
  VALUES ('1', 'a', '${kind}', '${list}', '${slots}', '2026', '2026')`

describe('migration 5: prompts and templates', () => {
  it('takes sets that are for training or held out, with lists of prompts and slots by name', () => {
    expect(() => database.exec(prompts('both', '[]'))).toThrow('CHECK')
    expect(() => database.exec(prompts('training', '{}'))).toThrow('CHECK')
    expect(() => database.exec(prompts('training', '[]', '[]'))).toThrow('CHECK')
    database.exec(prompts('held-out', '["a hand"]', '{"animal": ["cat"]}'))
  })

  it('takes templates that are JSON objects', () => {
    const template = (json: string): string => `INSERT INTO templates VALUES ('1', 'a', '${json}', '2026', '2026', NULL)`
    expect(() => database.exec(template('[]'))).toThrow('CHECK')
    expect(() => database.exec(template('{'))).toThrow()
    database.exec(template('{}'))
  })
})
