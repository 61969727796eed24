import type { Services } from '../../services/services.ts'
import type { DATASET_CALLS } from '../contract/datasets.ts'
import type { HandlersOf } from '../router.ts'

export function datasetHandlers({ datasets, tasks }: Services): HandlersOf<typeof DATASET_CALLS> {
  return {
    'datasets.list': () => datasets.list(),
    'datasets.create': ({ name }) => datasets.create(name),
    'datasets.rename': ({ id, name }) => datasets.rename(id, name),
    'datasets.remove'({ id }) {
      datasets.remove(id)
      return {}
    },
    'datasets.import': ({ id, paths, task }) => tasks.run(task, 'Importing pictures', (running) => datasets.import(id, paths, running)),
    'datasets.images': ({ id, ...page }) => datasets.images(id, page),
    'datasets.setCaption': ({ image, caption }) => datasets.setCaption(image, caption),
    'datasets.editCaptions': ({ id, edit, only, preview }) => datasets.editCaptions(id, edit, { only, preview }),
    'datasets.undoEdit': ({ edit }) => ({ changed: datasets.undoEdit(edit) }),
    'datasets.tags': ({ id }) => [...datasets.tags(id)],
    'datasets.importCaptions': ({ id, folder, task }) =>
      tasks.run(task, 'Reading captions', (running) => datasets.importCaptions(id, folder, running)),
    'datasets.exportCaptions': ({ id, folder, task }) =>
      tasks.run(task, 'Writing captions', async (running) => ({ written: await datasets.exportCaptions(id, folder, running) })),
    'datasets.removeImages'({ images }) {
      datasets.removeImages(images)
      return {}
    },
    'datasets.restoreImages': ({ images }) => ({ restored: datasets.restoreImages(images) }),
    'datasets.lookalikes': ({ id, distance, task }) =>
      tasks.run(task, 'Looking for duplicates', async (running) => ({ groups: await datasets.lookalikes(id, distance, running) })),
    'datasets.buckets': async ({ id, ...rules }) => ({ buckets: await datasets.buckets(id, rules) }),
    'datasets.freeze': ({ id, task }) => tasks.run(task, 'Keeping a version', () => datasets.freeze(id)),
    'datasets.versions': ({ id }) => datasets.versions(id).map(({ version, images, madeAt }) => ({ version, images, madeAt })),
  }
}
