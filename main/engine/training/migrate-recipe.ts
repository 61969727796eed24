import { HalfstepError } from '../errors.ts'

/** Turns a recipe of one version into the next one's. */
export type RecipeMigration = (recipe: Readonly<Record<string, unknown>>) => Record<string, unknown>

/** The step from version i + 1 to i + 2 at place i. Version 1 is the first and so far the only one. */
const MIGRATIONS: readonly RecipeMigration[] = []

/**
 * A recipe of any earlier version as one of the newest, version by version. What has no version is left to the schema to refuse.
 * Throws `recipe.malformed` for a version that this program does not know yet.
 */
export function migrateRecipe(
  recipe: Readonly<Record<string, unknown>>,
  source: string,
  migrations: readonly RecipeMigration[] = MIGRATIONS,
): Readonly<Record<string, unknown>> {
  const newest = migrations.length + 1
  const { version } = recipe
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) return recipe
  if (version > newest) {
    const message = `${source} has version ${version}, and this Halfstep knows recipes up to version ${newest}.`
    throw new HalfstepError('recipe.malformed', message, 'Update Halfstep.', { key: 'version' })
  }
  return migrations
    .slice(version - 1)
    .reduce<Readonly<Record<string, unknown>>>((older, migrate, i) => ({ ...migrate(older), version: version + i + 1 }), recipe)
}
