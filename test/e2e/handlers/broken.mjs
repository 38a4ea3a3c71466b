export default 'no handler';
