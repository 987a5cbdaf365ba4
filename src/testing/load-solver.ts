export { loadMipSolver, loadSolver } from '../runtime/highs.ts'
