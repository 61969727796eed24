import { describe, expect, it } from 'vitest'
import { memoryWords, speedWords } from '../../../renderer/components/device-card/device-words.ts'

describe('the words for a device', () => {
  it('give memory in gigabytes and say when it is not reported', () => {
    expect([memoryWords(16e9), memoryWords(8_589_934_592), memoryWords(null)]).toEqual(['16.0 GB', '8.6 GB', 'not reported'])
  })

  it('give speed in the unit that reads best and say when it was not measured', () => {
    expect([speedWords(3.14e13), speedWords(1e12), speedWords(9.4e10), speedWords(null)])
      .toEqual(['31.4 TFLOP/s', '1.0 TFLOP/s', '94 GFLOP/s', 'not measured'])
  })
})
