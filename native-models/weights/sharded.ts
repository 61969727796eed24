import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { HalfstepError } from '../../main/engine/errors.ts'
import { readJson } from './json-file.ts'
import { openSafetensors } from './safetensors.ts'
import { weightSource, type WeightEntry, type WeightSource } from './weight-source.ts'

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) })

/**
 * Weights spread over several files by an index (`….safetensors.index.json`): `weight_map` gives the file of each
 * tensor. Shards must lie beside the index. Throws `weights.malformed`, `weights.missing-tensor` or what
 * {@link openSafetensors} throws.
 */
export async function openSharded(indexPath: string): Promise<WeightSource> {
  const index = indexSchema.safeParse(await readJson(indexPath))
  if (!index.success) throw malformed(indexPath, 'it has no weight_map')
  const byShard = Map.groupBy(Object.entries(index.data.weight_map), ([, shard]) => shard)
  const entries: WeightEntry[] = []
  for (const [shard, tensors] of byShard) {
    if (!isPlainName(shard)) throw malformed(indexPath, `it names ${shard}, which is not a file beside it`)
    const source = await openSafetensors(join(dirname(indexPath), shard))
    for (const [name] of tensors) entries.push(source.find(name) ?? missing(source.path, name))
  }
  return weightSource(indexPath, entries)
}

/** Whether a name stays in its folder, whatever the platform. */
function isPlainName(name: string): boolean {
  return basename(name) === name && !/[/\\\0]/.test(name) && !/^\.*$/.test(name)
}

function missing(shard: string, name: string): never {
  const message = `${shard} lacks the tensor ${name} that its index places there.`
  throw new HalfstepError('weights.missing-tensor', message, 'Download the model again.', { file: shard, tensor: name })
}

function malformed(indexPath: string, rule: string): HalfstepError {
  const message = `${indexPath} is not a valid index of weights: ${rule}.`
  return new HalfstepError('weights.malformed', message, 'Download the model again.', { file: indexPath })
}
