"""An order is placed by HTTP and its receipt is made by a job: the same application in four frameworks."""
