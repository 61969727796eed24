import { describe, expect, it } from 'vitest'
import { parseCaption } from '../../../main/engine/dataset/caption-file.ts'
import { HalfstepError } from '../../../main/engine/errors.ts'

const utf16 = (text: string): Uint8Array => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])

describe('a caption', () => {
  it.each([
    ['plain text', Buffer.from('a hand'), 'a hand'],
    ['a byte order mark', Buffer.from('\ufeffa hand'), 'a hand'],
    ['several lines and spaces', Buffer.from('  a hand,\r\n  palm open\n'), 'a hand, palm open'],
    ['UTF-16 with little end first', utf16('eine Hand, Öl'), 'eine Hand, Öl'],
    ['UTF-16 with big end first', Buffer.from(utf16('eine Hand, Öl')).swap16(), 'eine Hand, Öl'],
    ['nothing', Buffer.alloc(0), ''],
  ])('is read from %s', (_, bytes, expected) => {
    expect(parseCaption(bytes, 'a.txt')).toBe(expected)
  })

  it.each([
    ['bytes that are not UTF-8', Buffer.from([0x41, 0xe4, 0x42])],
    ['half a UTF-16 character', Buffer.from([0xff, 0xfe, 0x41])],
    ['more than a caption can be', Buffer.alloc(2 ** 16 + 1, 0x61)],
  ])('is refused by name for %s', (_, bytes) => {
    expect(() => parseCaption(bytes, 'a.txt')).toThrow(HalfstepError)
    expect(() => parseCaption(bytes, 'a.txt')).toThrow(/^a\.txt is /)
  })
})
