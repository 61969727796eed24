import type Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migrated, OTHER_SHA, picture, SHA } from './migrated.ts'

let database: Database.Database

beforeEach(() => {
  database = migrated(6)
  database.exec(`${picture()}; ${picture(OTHER_SHA)}; INSERT INTO datasets VALUES ('d', 'a', '2026', NULL)`)
})

afterEach(() => database.close())

const image = (id: number, sha256 = SHA): string =>
  `INSERT INTO dataset_images (id, dataset_id, picture, name) VALUES (${id}, 'd', '${sha256}', 'a.png')`
const version = (number: number, content: string): string =>
  `INSERT INTO dataset_versions VALUES ('d', ${number}, '${content}', 'datasets/d/${number}', 1, '2026')`

describe('migration 6: datasets', () => {
  it('holds a picture once per dataset outside the bin', () => {
    database.exec(image(1))
    expect(() => database.exec(image(2))).toThrow('UNIQUE')
    database.exec("UPDATE dataset_images SET deleted_at = '2026'")
    database.exec(image(2))
    expect(() => database.exec('DELETE FROM pictures')).toThrow('FOREIGN KEY')
  })

  it('forgets with a dataset its images, captions and versions', () => {
    database.exec(`${image(1)}; INSERT INTO captions VALUES (1, 1, 'a', 'e', '2026'); ${version(1, 'c')}; DELETE FROM datasets`)
    for (const table of ['dataset_images', 'captions', 'dataset_versions']) {
      expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get()).toBe(0)
    }
  })

  it('makes no version twice', () => {
    database.exec(version(1, 'c'))
    expect(() => database.exec(version(2, 'c'))).toThrow('UNIQUE')
    expect(() => database.exec(version(1, 'd'))).toThrow('UNIQUE')
  })
})
