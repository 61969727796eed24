/** A process that writes to a library without end, as a run and an import would, until it is killed. */
import { writeSync } from 'node:fs'
import { writeCaptions } from '../../main/store/captions.ts'
import { openDatabase } from '../../main/store/database.ts'
import { insertImage } from '../../main/store/dataset-images.ts'
import { insertDataset } from '../../main/store/datasets.ts'
import { writeMetrics } from '../../main/store/metrics.ts'
import { insertPicture } from '../../main/store/pictures.ts'
import { dequeueRun, enqueueRun, insertRun, updateRun } from '../../main/store/runs.ts'
import { RUN } from '../unit/store/example-rows.ts'

const [, , path = '', seed = '0'] = process.argv
const database = openDatabase(path)
const [run, dataset] = [`run-${seed}`, `dataset-${seed}`]
insertRun(database, { ...RUN, id: run, folder: `runs/${run}` })
insertDataset(database, dataset, 'Pictures', '2026')
writeSync(1, 'writing\n')
for (let update = 1; ; update++) {
  const rewards = { mean: update, spread: 0, min: 0, max: 1, gradientNorm: 1, learningRate: 1, seconds: 1, parts: {} }
  writeMetrics(database, run, Array.from({ length: 20 }, (_, i) => ({ ...rewards, update: update * 20 + i })))
  updateRun(database, run, { update: update * 20, state: 'running' })
  enqueueRun(database, run, [{ type: 'sample-now' }], '2026')
  const sha256 = (BigInt(update) + (BigInt(seed) << 64n)).toString(16).padStart(64, '0')
  insertPicture(database, { sha256, file: sha256, bytes: 1, width: 1, height: 1, perceptualHash: '0'.repeat(16), addedAt: '2026' })
  const image = insertImage(database, dataset, sha256, `${update}.png`)
  writeCaptions(database, `edit-${update}`, image === undefined ? [] : [{ image, caption: 'a' }, { image, caption: 'b' }])
  dequeueRun(database, run)
}
