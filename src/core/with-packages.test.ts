import { expect, test } from 'vitest'
import { withPackages } from './with-packages.ts'

test('what is not installed is said in the line that installs it', async () => {
  const missing = withPackages(
    'a figure',
    ['no-such-package'],
    () => import(/* @vite-ignore */ String('no-such-package'))
  )
  await expect(missing).rejects.toMatchObject({
    code: 'packageMissing',
    message: 'a figure needs a package that is not installed here: npm install --ignore-scripts no-such-package',
    facts: { packages: ['no-such-package'] }
  })
  const resolved = withPackages('a', ['x', 'y'], () => {
    throw Object.assign(new Error(), { code: 'MODULE_NOT_FOUND' })
  })
  await expect(resolved).rejects.toThrow(/a needs packages that are not installed here: .* x y$/)
})

test('any other error is its own, and what is there is used', async () => {
  const broken = withPackages('a', ['x'], () => Promise.reject(new TypeError('broken')))
  await expect(broken).rejects.toThrow(TypeError)
  expect(await withPackages('a', ['x'], () => 3)).toBe(3)
})
