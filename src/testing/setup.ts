import '../core/promise-with-resolvers.ts'
