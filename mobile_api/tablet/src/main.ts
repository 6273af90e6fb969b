import '@tokens'
