import { expect, test } from 'vitest'
import { UserError } from '../../../core/user-error.ts'
import { checkProviderSettings } from './check-provider-settings.ts'
import type { ProviderChoice } from './provider-name.ts'
import { providerSettingsSchema } from './provider-settings.ts'

const check = (provider: ProviderChoice | undefined, written: object): string[] => {
  const said: string[] = []
  checkProviderSettings({
    provider,
    providerSettings: providerSettingsSchema.parse(written),
    say: text => said.push(text)
  })
  return said
}

test('settings of a provider that is asked for pass, by its name and by auto', () => {
  expect(check('cuda', { cuda: {}, webgpu: {} })).toEqual([])
  expect(check('auto', { webgpu: { limit: 1e-3 } })).toEqual([])
  expect(check(undefined, {})).toEqual([])
})

test.each([['webgpu'], ['cpu'], [undefined]] as const)(
  'settings of another than %s would be ignored, and are refused',
  provider => {
    expect(() => check(provider, { cuda: {} })).toThrow(UserError)
    expect(() => check(provider, { cuda: {} })).toThrow(/they are of cuda.*ask for one of these, or for auto/)
  }
)

test('a limit beyond what audits allow is told, of a provider that may be used', () => {
  expect(check('auto', { cuda: { limit: 0.01 } })).toEqual([
    expect.stringMatching(/^cuda: .*0\.01.*audits allow 0\.001/)
  ])
  expect(check('webgpu', { cuda: { limit: 0.01 }, webgpu: {} })).toEqual([])
})
