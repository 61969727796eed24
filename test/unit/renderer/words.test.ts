import { describe, expect, it } from 'vitest'
import type { DeviceRecord } from '../../../main/ipc/contract.ts'
import { figure } from '../../../renderer/components/plot/plot-data.ts'
import { strengthWords } from '../../../renderer/words/adapter.ts'
import { fitOf } from '../../../renderer/words/model.ts'
import { choicesOf, stateWords } from '../../../renderer/words/run.ts'
import { byteWords, countWords, plural } from '../../../renderer/words/size.ts'
import { templateTitle } from '../../../renderer/words/template.ts'
import { durationWords, sinceWords } from '../../../renderer/words/time.ts'

describe('words for people', () => {
  it('say how long something takes', () => {
    expect([0, 41.6, 61, 3599, 3660, 4 * 3600, 26 * 3600, 49 * 3600].map(durationWords))
      .toEqual(['0 s', '42 s', '1 min', '1 h', '1 h 1 min', '4 h', '1 day 2 h', '2 days 1 h'])
  })

  it('say when something was', () => {
    const now = new Date('2026-05-10T12:00:00')
    const words = ['2026-05-10T11:59:40', '2026-05-10T11:55:00', '2026-05-10T09:00:00', '2026-05-09T23:00:00', '2026-05-06T12:00:00']
    expect(words.map((when) => sinceWords(when, now))).toEqual(['just now', '5 minutes ago', '3 hours ago', 'yesterday', '4 days ago'])
    expect(sinceWords('2026-01-01T12:00:00', now)).toContain('2026')
  })

  it('say how much there is', () => {
    expect([0, 999, 1500, 2.13e9, 4.5e11].map(byteWords)).toEqual(['0 bytes', '999 bytes', '1.5 kB', '2.1 GB', '450 GB'])
    expect([859_520_964, 1.2e9, 4096].map(countWords)).toEqual(['860 million', '1.2 billion', '4,096'])
    expect([plural(1, 'picture'), plural(1200, 'picture'), plural(2, 'was', 'were')]).toEqual(['1 picture', '1,200 pictures', '2 were'])
  })

  it('give figures with the digits that matter', () => {
    expect([0, 0.42345, -12.345, 1234.5, 3.14e-5, NaN].map(figure)).toEqual(['0', '0.423', '-12.3', '1,235', '3.1e-5', '–'])
    expect([1, 0.75, -0.5].map(strengthWords)).toEqual(['1.0', '0.75', '−0.5'])
  })

  it('name templates by what they are for', () => {
    expect(templateTitle('hands-five-fingers')).toBe('Hands five fingers')
  })

  it('say where a run stands, what was asked of it before all', () => {
    expect(stateWords({ state: 'running', wish: null })).toMatchObject({ label: 'Training', live: true })
    expect(stateWords({ state: 'running', wish: 'pause' }).label).toBe('Pausing …')
    expect(stateWords({ state: 'interrupted', wish: null }).tone).toBe('warning')
  })

  it('offer only what a run can be told', () => {
    expect(choicesOf({ state: 'running', wish: null, update: 3 })).toEqual({ pause: true, resume: false, stop: true })
    expect(choicesOf({ state: 'running', wish: 'pause', update: 3 })).toEqual({ pause: false, resume: false, stop: false })
    expect(choicesOf({ state: 'failed', wish: null, update: 0 })).toEqual({ pause: false, resume: true, stop: false })
    expect(choicesOf({ state: 'finished', wish: null, update: 9 })).toEqual({ pause: false, resume: false, stop: false })
  })

  it('say whether a model fits a device, and nothing where the device does not tell', () => {
    const device: DeviceRecord = {
      device: 'cuda', available: true, reason: null, detail: null, name: 'Card', float16: true, convTranspose: 'correct', memoryBytes: 8e9,
      speed: null, onnxruntimeVersion: '1', probedAt: '2026-01-01T00:00:00Z',
    }
    expect(fitOf({ parameters: 1e9 }, device)).toEqual({ tone: 'good', words: 'Fits Card' })
    expect(fitOf({ parameters: 2.7e9 }, device)?.tone).toBe('warning')
    expect(fitOf({ parameters: 1.8e9 }, { ...device, float16: false })?.tone).toBe('danger')
    expect(fitOf({ parameters: 1e9 }, { ...device, memoryBytes: null })).toBeUndefined()
  })
})
