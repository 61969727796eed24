import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { settingsAndDevices } from '../../../main/store/migrations/001-settings-and-devices.ts'

let database: Database.Database

beforeEach(() => {
  database = new Database(':memory:')
  settingsAndDevices.up(database)
})

afterEach(() => database.close())

/** A row of the devices table. */
const device = (name: string, position: string, record = '{}'): string =>
  `INSERT INTO devices VALUES ('${name}', ${position}, '1.30.0', '2026-01-01T00:00:00Z', '${record}')`

describe('migration 1: settings and devices', () => {
  it('makes both tables', () => {
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").pluck().all()
    expect(tables).toEqual(['devices', 'settings'])
  })

  it('keeps JSON only in settings', () => {
    database.exec("INSERT INTO settings VALUES ('device', '7')")
    expect(() => database.exec("INSERT INTO settings VALUES ('device.order', 'not json')")).toThrow('CHECK')
  })

  it('keeps one row per device and position, positions as numbers and records as JSON', () => {
    database.exec(device('cpu', '0'))
    expect(() => database.exec(device('cpu', '1'))).toThrow('UNIQUE')
    expect(() => database.exec(device('dml', '0'))).toThrow('UNIQUE')
    expect(() => database.exec(device('dml', '-1'))).toThrow('CHECK')
    expect(() => database.exec(device('dml', "'first'"))).toThrow('TEXT')
    expect(() => database.exec(device('dml', '1', '{'))).toThrow('CHECK')
  })
})
