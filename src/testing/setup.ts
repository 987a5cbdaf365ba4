import 'core-js/actual/promise/with-resolvers.js'
