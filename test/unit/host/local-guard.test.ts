import { describe, expect, it } from 'vitest'
import { cookieValue, isForUs, isFromUs, newSecret, OneTimeTokens, sameSecret } from '../../../main/host/local-guard.ts'

describe('the local host answers', () => {
  it('under its own names and port only, so that a rebound name leads nowhere', () => {
    expect(isForUs({ host: '127.0.0.1:8123' }, 8123)).toBe(true)
    expect(isForUs({ host: 'localhost:8123' }, 8123)).toBe(true)
    const others = ['evil.example:8123', '127.0.0.1', '127.0.0.1:80', '127.0.0.1.evil.example:8123', 'localhost:8123.evil', '', undefined]
    for (const host of others) {
      expect([host, isForUs({ host }, 8123)]).toEqual([host, false])
    }
  })

  it('its own pages and the address bar, no other site and no other local server', () => {
    const host = '127.0.0.1:8123'
    expect(isFromUs({ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }, 'POST')).toBe(true)
    expect(isFromUs({ host, 'sec-fetch-site': 'none' }, 'GET')).toBe(true)
    expect(isFromUs({ host }, 'GET')).toBe(true)
    expect(isFromUs({ host }, 'POST')).toBe(false)
    expect(isFromUs({ host, 'sec-fetch-site': 'same-site' }, 'GET')).toBe(false)
    expect(isFromUs({ host, 'sec-fetch-site': 'cross-site' }, 'GET')).toBe(false)
    for (const origin of ['http://127.0.0.1:9000', 'http://localhost:8123', 'https://127.0.0.1:8123', 'https://evil.example', 'null', '']) {
      expect([origin, isFromUs({ host, origin }, 'POST')]).toEqual([origin, false])
    }
  })
})

describe('secrets', () => {
  it('open once each, and only when they were issued', () => {
    const tokens = new OneTimeTokens()
    const [first, second] = [tokens.issue(), tokens.issue()]
    expect(tokens.redeem(newSecret())).toBe(false)
    expect(tokens.redeem('')).toBe(false)
    expect([tokens.redeem(first), tokens.redeem(first)]).toEqual([true, false])
    expect(tokens.redeem(second)).toBe(true)
  })

  it('are equal only to themselves', () => {
    const secret = newSecret()
    expect(secret).toMatch(/^[\w-]{43}$/)
    expect(sameSecret(secret, secret)).toBe(true)
    for (const other of [undefined, '', secret.slice(1), `${secret}x`, newSecret()]) expect(sameSecret(other, secret)).toBe(false)
  })

  it('are found among other cookies, by their whole name', () => {
    expect(cookieValue('a=1; halfstep-80=x; b=2', 'halfstep-80')).toBe('x')
    expect(cookieValue('halfstep-8=x; not-halfstep-80=y', 'halfstep-80')).toBeUndefined()
    expect(cookieValue(undefined, 'halfstep-80')).toBeUndefined()
  })
})
