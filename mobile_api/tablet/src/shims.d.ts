declare module '*.css'
declare module '@tokens'
