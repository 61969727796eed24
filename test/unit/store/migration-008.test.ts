import { expect, it } from 'vitest'
import { MIGRATIONS } from '../../../main/store/migrations/index.ts'
import { migrated, OTHER_SHA, picture, SHA } from './migrated.ts'

const generation = (id: string, columns: string, values: string): string =>
  `INSERT INTO generations (id, picture, batch, position, prompt, seed, recipe, created_at${columns})
   VALUES ('${id}', '${SHA}', 'b', 0, 'a hand', 1, '{}', '2026'${values})`

it('migration 8 lets generations name the picture they repaired, which must be there', () => {
  const database = migrated(7)
  database.exec(`${picture()}; ${picture(OTHER_SHA)}; ${generation('1', '', '')}`)
  MIGRATIONS[7]!.up(database)
  expect(database.prepare('SELECT source FROM generations').pluck().get()).toBeNull()
  database.exec(generation('2', ', source', `, '${OTHER_SHA}'`))
  expect(() => database.exec(generation('3', ', source', `, '${'c'.repeat(64)}'`))).toThrow('FOREIGN KEY')
  expect(() => database.exec(`DELETE FROM pictures WHERE sha256 = '${OTHER_SHA}'`)).toThrow('FOREIGN KEY')
  database.close()
})
