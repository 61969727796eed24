import { beforeEach, describe, expect, it } from 'vitest'
import { ServiceBus } from '../../../main/services/service-events.ts'
import { Tasks } from '../../../main/services/tasks.ts'

let bus: ServiceBus
let tasks: Tasks
let told: unknown[]

beforeEach(() => {
  bus = new ServiceBus()
  tasks = new Tasks(bus)
  told = []
  bus.listen((name, payload) => told.push([name, payload]))
})

describe('long work', () => {
  it('is told of from beginning to end', async () => {
    const result = await tasks.run('import', 'Importing', async (task) => {
      task.progress(2, 2, 'b.png')
      expect(tasks.list()).toEqual([{ task: 'import', label: 'Importing', done: 2, total: 2, secondsLeft: null, note: 'b.png' }])
      return 7
    })
    expect(result).toBe(7)
    expect(told).toEqual([
      ['tasks.progress', { task: 'import', label: 'Importing', done: 0, total: null, secondsLeft: null, note: null }],
      ['tasks.progress', { task: 'import', label: 'Importing', done: 2, total: 2, secondsLeft: null, note: 'b.png' }],
      ['tasks.ended', { task: 'import' }],
    ])
    expect(tasks.list()).toEqual([])
  })

  it('does not flood its listeners', async () => {
    await tasks.run('import', 'Importing', async (task) => {
      for (let i = 0; i <= 10_000; i++) task.progress(i, 10_000)
    })
    expect(told.length).toBeLessThan(20)
    expect(told.at(-2)).toMatchObject(['tasks.progress', { done: 10_000 }])
  })

  it('is cancelled by its name', async () => {
    const work = tasks.run('import', 'Importing', async (task) => {
      await new Promise((resolve) => task.signal.addEventListener('abort', resolve))
      task.check()
    })
    expect(tasks.cancel('other')).toBe(false)
    expect(tasks.cancel('import')).toBe(true)
    await expect(work).rejects.toMatchObject({ code: 'cancelled', message: 'Importing was cancelled.' })
    expect(told.at(-1)).toEqual(['tasks.ended', { task: 'import' }])
  })

  it('has its name to itself while it goes on', async () => {
    let end = (): void => undefined
    const work = tasks.run('import', 'Importing', () => new Promise<void>((resolve) => (end = resolve)))
    await expect(tasks.run('import', 'Importing', () => Promise.resolve())).rejects.toMatchObject({ code: 'call.invalid' })
    end()
    await work
    await tasks.run('import', 'Importing', () => Promise.resolve())
  })
})
