import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { assetPath, unpacked } from '../../../main/services/assets.ts'

it('what comes with the program lies in assets/', () => {
  expect(existsSync(assetPath('templates/hands-five-fingers.json'))).toBe(true)
})

it('in a package, files are named where native code finds them: beside the archive, not inside it', () => {
  expect(unpacked('/opt/Halfstep/resources/app.asar/assets/starter')).toBe('/opt/Halfstep/resources/app.asar.unpacked/assets/starter')
  expect(unpacked('C:\\Halfstep\\resources\\app.asar\\assets')).toBe('C:\\Halfstep\\resources\\app.asar.unpacked\\assets')
  expect(unpacked('/home/a/app.asar.unpacked/assets')).toBe('/home/a/app.asar.unpacked/assets')
  expect(unpacked('/home/a/halfstep/assets')).toBe('/home/a/halfstep/assets')
})
