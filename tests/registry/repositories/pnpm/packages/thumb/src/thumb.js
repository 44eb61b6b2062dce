exports.handler = async () => ({ shared: require('@shop/shared')(), odd: require('odd')(3), ms: require('ms/package.json').version });
