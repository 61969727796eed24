import fc from 'fast-check'
import { relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { contains, CONTENT_SECURITY_POLICY, fileForAddress, mayNavigate, maySend, mayUse } from '../../../main/host/security.ts'

const ROOT = resolve('/app/pages')

describe('the file that an app address means', () => {
  it('is the file below the root, and index.html for the root itself', () => {
    expect(fileForAddress('app://halfstep/', ROOT)).toBe(resolve(ROOT, 'index.html'))
    expect(fileForAddress('app://halfstep/assets/index.js?v=1#top', ROOT)).toBe(resolve(ROOT, 'assets/index.js'))
    expect(fileForAddress('app://halfstep/with%20space/%C3%BC.png', ROOT)).toBe(resolve(ROOT, 'with space/ü.png'))
  })

  it.each([
    'app://halfstep/..%2f..%2fetc%2fpasswd',
    'app://halfstep/%2e%2e/%2e%2e%2fsecret',
    'app://halfstep/..%5c..%5csecret',
    'app://halfstep/assets%00.js',
    'app://halfstep/C:%5cWindows',
    'app://halfstep/%E0%A4%A',
    'app://halfstep.evil/index.html',
    'app://evil/index.html',
    'app://user:password@halfstep/index.html',
    'file:///etc/passwd',
    'https://halfstep/index.html',
    'not an address',
    '',
  ])('is none for %s', (address) => {
    expect(fileForAddress(address, ROOT)).toBeUndefined()
  })

  it('never lies outside the root, whatever the path', () => {
    const piece = fc.oneof(fc.constantFrom('..', '.', '%2e%2e', '%2f', '%5c', '..%2f', '\\', '//', 'a', '~', '%00'), fc.string())
    fc.assert(fc.property(fc.array(piece), (pieces) => {
      const file = fileForAddress(`app://halfstep/${pieces.join('/')}`, ROOT)
      expect(file === undefined || !relative(ROOT, file).startsWith('..')).toBe(true)
    }))
  })
})

describe('containment', () => {
  it('tells a folder from one whose name begins alike', () => {
    expect(contains(ROOT, resolve(ROOT, 'a/b'))).toBe(true)
    expect(contains(ROOT, resolve(ROOT, '..file'))).toBe(true)
    expect(contains(ROOT, `${ROOT}-other/a`)).toBe(false)
    expect(contains(ROOT, resolve(ROOT, '..'))).toBe(false)
    expect(contains(ROOT, ROOT)).toBe(false)
  })
})

describe('what a page may do', () => {
  it('stays on our own pages', () => {
    expect(mayNavigate('app://halfstep/index.html')).toBe(true)
    expect(['https://example.org/', 'file:///etc/passwd', 'javascript:alert(1)', 'data:text/html,x', 'app://halfstep.evil/'].some(mayNavigate)).toBe(false)
  })

  it('has one permission, on our own pages only', () => {
    expect(mayUse('clipboard-sanitized-write', 'app://halfstep/index.html')).toBe(true)
    expect(mayUse('clipboard-sanitized-write', 'https://example.org/')).toBe(false)
    for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read', 'openExternal', 'fileSystem', 'usb', 'unknown']) {
      expect(mayUse(permission, 'app://halfstep/index.html')).toBe(false)
    }
  })

  it('is heard only from the top frame of our own pages', () => {
    expect(maySend({ url: 'app://halfstep/index.html', isTopFrame: true })).toBe(true)
    expect(maySend({ url: 'app://halfstep/index.html', isTopFrame: false })).toBe(false)
    expect(maySend({ url: 'https://example.org/', isTopFrame: true })).toBe(false)
    expect(maySend(undefined)).toBe(false)
  })

  it('loads nothing from elsewhere and runs nothing inline', () => {
    const directives = new Map(CONTENT_SECURITY_POLICY.split('; ').map((line) => [line.split(' ')[0], line.split(' ').slice(1)]))
    expect(directives.get('default-src')).toEqual(["'none'"])
    expect(directives.get('script-src')).toEqual(["'self'"])
    expect(directives.get('connect-src')).toEqual(["'self'"])
    expect(CONTENT_SECURITY_POLICY).not.toMatch(/unsafe|https?:|\*/)
  })
})
