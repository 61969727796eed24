import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { discard } from '../../../main/store/bin.ts'
import { type LibraryDatabase, openDatabase } from '../../../main/store/database.ts'
import { deleteMetricsAfter, readMetrics, readRunFigures, writeMetrics, type Metric } from '../../../main/store/metrics.ts'
import { appendRunLog, readRunLog } from '../../../main/store/run-log.ts'
import { readCheckpoints, readCover, readRunPictures, writeCheckpointRow, writeRunPictures } from '../../../main/store/run-pictures.ts'
import { dequeueRun, enqueueRun, insertRun, readQueue, readRun, readRuns, updateRun } from '../../../main/store/runs.ts'
import { idOf, RUN } from './example-rows.ts'

const OTHER = { ...RUN, id: idOf(11), folder: `runs/${idOf(11)}`, createdAt: '2026-01-03T00:00:00.000Z' }

let database: LibraryDatabase

beforeEach(() => {
  database = openDatabase(':memory:')
  insertRun(database, RUN)
  insertRun(database, OTHER)
})

afterEach(() => database.close())

const metric = (update: number, mean = update): Metric => ({
  update, mean, spread: 1, min: 0, max: 2, gradientNorm: 3, learningRate: 1e-3, seconds: 0.5, parts: { critic: mean },
})

describe('stored runs', () => {
  it('read back as they were added, youngest first', () => {
    expect(readRuns(database)).toEqual([OTHER, RUN])
  })

  it('change where they are told to; null empties a field', () => {
    const reason = { message: 'It broke.', nextStep: 'Mend it.' }
    updateRun(database, RUN.id, { state: 'failed', reason, update: 3, endedAt: '2026' })
    expect(readRun(database, RUN.id)).toEqual({ ...RUN, state: 'failed', reason, update: 3, endedAt: '2026' })
    updateRun(database, RUN.id, { reason: null, endedAt: null })
    expect(readRun(database, RUN.id)).toEqual({ ...RUN, state: 'failed', update: 3 })
    updateRun(database, RUN.id, {})
  })
})

describe('the queue', () => {
  it('keeps the order of asking, and gathers what a run is to be told', () => {
    enqueueRun(database, RUN.id, [], '2026')
    enqueueRun(database, OTHER.id, [{ type: 'stop' }], '2026')
    enqueueRun(database, RUN.id, [{ type: 'sample-now' }], '2026')
    enqueueRun(database, RUN.id, [{ type: 'stop' }], '2026')
    expect(readQueue(database)).toEqual([
      { runId: RUN.id, commands: [{ type: 'sample-now' }, { type: 'stop' }] },
      { runId: OTHER.id, commands: [{ type: 'stop' }] },
    ])
    dequeueRun(database, RUN.id)
    expect(readQueue(database).map(({ runId }) => runId)).toEqual([OTHER.id])
  })

  it('passes over runs in the bin', () => {
    enqueueRun(database, RUN.id, [], '2026')
    discard(database, 'runs', RUN.id)
    expect(readQueue(database)).toEqual([])
  })
})

describe('what a run tells', () => {
  it('keeps one metric per update, the latest, and forgets what a checkpoint has undone', () => {
    writeMetrics(database, RUN.id, [metric(1), metric(2), metric(3)])
    writeMetrics(database, RUN.id, [metric(2, 7)])
    expect(readMetrics(database, RUN.id)).toEqual([metric(1), metric(2, 7), metric(3)])
    expect(readMetrics(database, RUN.id, 2)).toEqual([metric(3)])
    expect(readRunFigures(database, RUN.id)).toEqual({ firstReward: 1, latestReward: 3, seconds: 1.5 })
    deleteMetricsAfter(database, RUN.id, 1)
    expect(readMetrics(database, RUN.id)).toEqual([metric(1)])
    expect(readRunFigures(database, OTHER.id)).toEqual({ firstReward: null, latestReward: null, seconds: 0 })
  })

  it('keeps pictures by update and noise; the cover is the first of the latest', () => {
    writeRunPictures(database, RUN.id, [{ update: 2, position: 1, file: 'b' }, { update: 2, position: 0, file: 'a' }])
    writeRunPictures(database, RUN.id, [{ update: 0, position: 0, file: 'first' }])
    expect(readRunPictures(database, RUN.id).map(({ file }) => file)).toEqual(['first', 'a', 'b'])
    expect(readCover(database, RUN.id)).toBe('a')
    expect(readCover(database, OTHER.id)).toBeUndefined()
  })

  it('has one best checkpoint at a time', () => {
    for (const [update, best] of [[1, true], [2, false], [3, true], [4, false]] as const) {
      writeCheckpointRow(database, RUN.id, { update, best, file: String(update) })
    }
    expect(readCheckpoints(database, RUN.id).filter(({ best }) => best)).toEqual([{ update: 3, best: true, file: '3' }])
  })

  it('keeps a diary in order, of which the latest thousand entries are shown', () => {
    for (let i = 0; i < 1003; i++) appendRunLog(database, RUN.id, { at: '2026', update: i, kind: 'k', message: `${i}`, nextStep: '' })
    const log = readRunLog(database, RUN.id)
    expect([log.length, log[0]?.update, log.at(-1)?.update]).toEqual([1000, 3, 1002])
  })
})
