/* The measuring client of the bench: see client.ts. */
int main(void) { return 0; }
