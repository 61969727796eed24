import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MIGRATIONS } from '../../../main/store/migrations/index.ts'

let database: Database.Database

beforeEach(() => {
  database = new Database(':memory:')
  database.pragma('foreign_keys = ON')
  for (const { up } of MIGRATIONS.slice(0, 3)) up(database)
  database.exec("INSERT INTO models (id, name, path, family, summary, added_at) VALUES ('m', 'a', '/a', 'sd1', '{}', '2026')")
})

afterEach(() => database.close())

const run = (id: string, state = 'queued', folder = `runs/${id}`, modelId = 'm', recipe = '{}'): string => `
  INSERT INTO runs (id, name, goal, state, recipe, folder, device, model_id, updates, created_at)
  VALUES ('${id}', 'a', 'fix-hands', '${state}', '${recipe}', '${folder}', 'cpu', '${modelId}', 10, '2026')`

const count = (table: string): unknown => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()

describe('migration 3: runs', () => {
  it('refuses states that do not exist, recipes that are no JSON, two runs in a folder and models that are not there', () => {
    database.exec(run('1'))
    expect(() => database.exec(run('2', 'lost'))).toThrow('CHECK')
    expect(() => database.exec(run('2', 'queued', 'runs/2', 'm', '{'))).toThrow('CHECK')
    expect(() => database.exec(run('2', 'queued', 'runs/1'))).toThrow('UNIQUE')
    expect(() => database.exec(run('2', 'queued', 'runs/2', 'other'))).toThrow('FOREIGN KEY')
  })

  it('keeps a run when its model is forgotten, and forgets with a run all that belongs to it', () => {
    database.exec(run('1'))
    database.exec(`
      INSERT INTO jobs (run_id, queued_at) VALUES ('1', '2026');
      INSERT INTO metrics VALUES ('1', 1, 0, 0, 0, 0, 0, 0, 0, '{}');
      INSERT INTO samples VALUES ('1', 0, 0, 'a.png');
      INSERT INTO checkpoints VALUES ('1', 1, 'a', 0);
      INSERT INTO run_log (run_id, at, update_number, kind, message, next_step) VALUES ('1', '2026', 1, 'started', '', '');
      DELETE FROM models;
    `)
    expect(database.prepare('SELECT model_id FROM runs').pluck().get()).toBeNull()
    database.exec('DELETE FROM runs')
    for (const table of ['jobs', 'metrics', 'samples', 'checkpoints', 'run_log']) expect(count(table)).toBe(0)
  })

  it('queues a run once', () => {
    database.exec(`${run('1')}; INSERT INTO jobs (run_id, queued_at) VALUES ('1', '2026')`)
    expect(() => database.exec("INSERT INTO jobs (run_id, queued_at) VALUES ('1', '2026')")).toThrow('UNIQUE')
  })

  it('takes no negative spread, and no update before the first', () => {
    database.exec(run('1'))
    expect(() => database.exec("INSERT INTO metrics VALUES ('1', 0, 0, 0, 0, 0, 0, 0, 0, '{}')")).toThrow('CHECK')
    expect(() => database.exec("INSERT INTO metrics VALUES ('1', 1, 0, -1, 0, 0, 0, 0, 0, '{}')")).toThrow('CHECK')
  })
})
